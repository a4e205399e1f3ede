"""An engine in a C program (driver.c) under valgrind and the sanitizers: no error and no leak, whatever came."""
