"""Workers on the nodes of a cluster: which nodes take part, what they must have in common, and Ray."""
