"""A package that cannot be imported: what it needs is not installed."""

import no_such_package_anywhere  # noqa: F401
