"""`micrograph claim`: texts, sentences and links; what is refused leaves nothing behind."""

import pytest

CLAIM = "toytown/mixed4b/3 <- mixed4a/130"


@pytest.mark.parametrize(
    "text",
    [
        CLAIM,
        "toytown/4b/3<-4a/130",
        "toytown 4b:3 is built from 4a:130",
        "http://127.0.0.1:8000/claims/toytown/mixed4b/3=mixed4a/130",
        "/claims/toytown/mixed4b/3=mixed4a/130.json",
    ],
)
def test_every_way_to_say_it(run, text):
    status, out, err = run("claim", text)
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == CLAIM
    assert f'micrograph claim "{CLAIM}" --dataset toytown' in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["toytown 4b:3 is built from 4a:130 and 7"], "7 in a claim is no unit"),
        (["toytown 4b:3 is not built from 4a:130"], "could mean"),
        (["cars are built from wheels"], "is no claim"),
        (["inceptionv1/mixed4c/447 <- mixed4b/237"], "no weights for inceptionv1 here"),
        ([CLAIM, "--dataset", "toytown", "--controls", "3"], "expected a number from 20"),
        ([CLAIM, "--says", "a\nb"], "nobody sees"),
        ([CLAIM, "--says", "x" * 1001], "say too much"),
        (["toytown/mixed4a_1x1/3 <- mixed4a_3x3/2"], "no path leads"),
        (["toytown/mixed4b/3 <- mixed4a/1 + mixed4a/1"], "twice"),
        (["toytown/mixed4b/3 <- mixed4a/1 - mixed4a/1"], "twice"),
        (["toytown/mixed4b/3 <- " + " + ".join(f"mixed4a/{n}" for n in range(1000))], "too long"),
    ],
)
def test_what_makes_no_claim_is_one_line(run, words, said, tmp_path):
    status, out, err = run("claim", *words, "--atlas", str(tmp_path / "new"))
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_is_refused_before_the_work(run, tmp_path):
    (tmp_path / "file").write_text("")
    where = str(tmp_path / "file" / "atlases")
    status, _, err = run("claim", CLAIM, "--dataset", "toytown:60", "--atlas", where)
    assert status == 2
    assert "cannot write into" in err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
