"""`python -m bioinstruct_dagster.settings`: write the tables of settings and `.env.example`."""

from bioinstruct_dagster.settings.table import write_files

if __name__ == "__main__":
    write_files()
