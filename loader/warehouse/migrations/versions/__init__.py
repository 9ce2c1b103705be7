"""warehouse.migrations.versions"""
