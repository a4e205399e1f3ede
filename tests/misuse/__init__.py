"""Each public function called as it must not be: with arguments that are none, and when it is not its time."""
