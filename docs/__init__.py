"""The pages, and the two programs that make parts of them: reference_pages and screenshots."""
