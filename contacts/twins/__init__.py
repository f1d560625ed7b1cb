"""Who is there twice: found, merged, and parted again."""
