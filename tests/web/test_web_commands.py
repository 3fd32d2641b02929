"""Commands on pages: pasted, they give what the page lacks, where the site shows it."""

import shlex

from web_client import Client

from micrograph.atlas import Library, bundled_catalogue
from micrograph.cli import main
from micrograph.cli.folders import commands_into, data_folder
from micrograph.cli.lens_options import DEFAULT
from micrograph.web import create_app
from micrograph.web.known import known_here

PLACE = "/models/toytown/conv0"


def site_of(folder) -> Client:
    library = Library([folder], bundled_catalogue())
    return Client(create_app(library, folder, known=known_here, commands=commands_into(folder)))


def test_a_pasted_command_fills_the_atlas_that_the_site_shows(tmp_path, monkeypatch):
    for name in ("here", "home", "shown on a site"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    site = site_of(tmp_path / "shown on a site")
    page = site.get(f"{PLACE}/3.json").json()
    (command,) = (one["command"] for one in page["missing"] if one["technique"] == "similar")
    program, *words = shlex.split(command)
    assert (program, main(words)) == ("micrograph", 0)
    there = site.get(f"{PLACE}/3.json").json()
    assert "similar" in {part["technique"] for part in there["sections"]}
    assert not list((tmp_path / "home").iterdir())


def test_every_command_names_the_folder(tmp_path):
    site = site_of(tmp_path)
    ends = f" --atlas {tmp_path}"
    unit = site.get(f"{PLACE}/3.json").json()
    commands = [unit["command"], *(one["command"] for one in unit["missing"])]
    commands.append(site.get(f"{PLACE}.json").json()["missing"])
    commands += site.get("/models/toytown.json").json()["state"]["commands"]
    assert len(commands) > 8
    assert all(command.endswith(ends) for command in commands), commands
    assert f"micrograph render toytown{ends}" in site.get("/models/toytown").text
    assert f"--node conv0 --units 3{ends}`" in site.get("/resolve?q=toytown/conv0/3").json()["note"]
    compared = site.get("/compare?here=toytown&there=toytown_vit").text
    assert compared.count(ends) == 2


def test_the_users_own_folder_needs_no_words(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert commands_into(data_folder("atlas")).folder == ""
    assert commands_into(data_folder("demo")).folder == str(data_folder("demo"))
    assert DEFAULT not in commands_into(data_folder("atlas")).render_all("toytown")
