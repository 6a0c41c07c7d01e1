"""Sources that mean harm, or are merely very unlucky: limits, loops, names, special files, failing media."""
