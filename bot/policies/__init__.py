"""Policy files: schema, loader, compilation into domain values."""
