"""Finds the files of the example, in a checkout and in an installed wheel."""

from pathlib import Path


def find_data_folder() -> Path:
    """The folder with stations.csv, areas/, series/ and basemap/.

    Raises:
        FileNotFoundError: neither `data` beside this module (wheel) nor examples/two_provinces
            (checkout) is there.
    """
    beside = Path(__file__).parent / "data"
    checkout = Path(__file__).parents[4] / "examples" / "two_provinces"
    for folder in (beside, checkout):
        if (folder / "stations.csv").is_file():
            return folder
    raise FileNotFoundError(f"the example is neither in {beside} nor in {checkout}")
