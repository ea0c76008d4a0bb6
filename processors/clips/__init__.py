"""Takes crop paths and gives clip files: decodes, crops, encodes, and notes finished clips so that a run can resume."""
