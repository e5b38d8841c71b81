"""Where episodes come from. Importing this package loads no kind of source: what fetches a file needs only its smallest modules."""
