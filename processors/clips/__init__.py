"""Takes crop paths and makes clip files: decodes, crops, encodes, and keeps a journal for interrupted runs."""
