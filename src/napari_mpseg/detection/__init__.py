"""Networks that find particles one by one, with a box and a mask each, and their training."""
