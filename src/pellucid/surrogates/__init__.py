"""The engine of the chapter `proxies`: simple models that repeat what a network answers."""
