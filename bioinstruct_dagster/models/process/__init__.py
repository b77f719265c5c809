"""The model process: started by Dagster, with torch in it and without the store."""
