from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class NetcrmConfig(AppConfig):
    name = "netcrm"


class NetcrmAdminConfig(AdminConfig):
    default_site = "netcrm.admin_site.NetcrmAdminSite"
