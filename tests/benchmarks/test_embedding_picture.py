import csv

import numpy as np

from benchmarks import embedding_picture


def write_embeddings(folder, seed):
    folder.mkdir()
    rng = np.random.default_rng(seed)
    np.save(folder / "embedding.npy", rng.normal(size=(100, 8)).astype("float32"))
    with open(folder / "videos.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "source", "label", "split"])
        for number in range(100):
            split = "val" if number % 2 else "train"
            writer.writerow([number, f"{number}.mp4", f"class_{number % 3}", split])
    return folder


def test_embeddings_of_a_split_stand_beside_their_labels(tmp_path):
    folder = write_embeddings(tmp_path / "a", seed=0)
    embeddings, labels = embedding_picture.read(folder, "val")
    np.testing.assert_array_equal(embeddings, np.load(folder / "embedding.npy")[1::2])
    assert labels[:3] == ["class_1", "class_0", "class_2"]


def test_two_panels_are_drawn(tmp_path):
    folders = {name: write_embeddings(tmp_path / name, seed=1) for name in ("a", "b")}
    embedding_picture.draw(folders, "val", tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
