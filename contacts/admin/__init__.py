"""The people of a notebook in the admin site, and Bulk edit's table."""

from contacts.admin.site import ArchiveFilter, ContactAdmin, NameAdmin

__all__ = ["ArchiveFilter", "ContactAdmin", "NameAdmin"]
