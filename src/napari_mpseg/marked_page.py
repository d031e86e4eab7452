"""Tables written anew into a Markdown page, between marks that say which."""

from collections.abc import Callable, Mapping

from napari_mpseg.errors import SettingsError


def with_tables(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Return a Markdown page with the tables between its marks ``<!-- NAME -->`` and ``<!-- end NAME -->`` renewed.

    Parameters
    ----------
    page : str
        The page.
    tables : mapping of str to callable
        What makes each table, by its mark.

    Raises
    ------
    SettingsError
        If the page lacks the marks of a table.
    """
    for name, table in tables.items():
        before, start, rest = page.partition(f"<!-- {name} -->")
        _, end, after = rest.partition(f"<!-- end {name} -->")
        if not start or not end:
            raise SettingsError(f"The page has no marks <!-- {name} --> and <!-- end {name} --> for its table.")
        page = f"{before}{start}\n\n{table()}\n\n{end}{after}"
    return page
