"""The engine on libeXosip2 against the checking double: its rules, and each call of the library failing in turn."""
