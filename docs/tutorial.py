"""From an idea, a new activation, to a submission: a script, and a notebook of cells."""

# %% [markdown]
# # From an idea to a submission
#
# This is a script and a notebook: run it in an empty folder (`python tutorial.py`, about ten
# minutes on two cores), or open it in an editor that knows `# %%` cells (VS Code, PyCharm,
# Spyder, Jupytext) and go through it cell by cell. It needs `bench` on the PATH and nothing
# else. The first run also draws the data, a few seconds.
#
# **The idea.** Koo & Ploenzke (2021) found that an exponential first-layer activation makes
# filters into motifs: it amplifies the few strong matches of a filter over the many weak ones.
# But it grows without bound, and training can run away. Would anything that is flat on the left
# and steep on the right do? Take the cube of softplus: positive and near zero for weak matches
# like the exponential, and a polynomial for strong ones.

# %%
import shlex
import shutil
import subprocess
from pathlib import Path


def run(command: str) -> None:
    """Print a command as one types it, and run it; stop here if it fails."""
    print(f"\n$ {command}", flush=True)
    subprocess.run(shlex.split(command), check=True)


# %% [markdown]
# ## 1. The model file
#
# A submission is one Python file with `build_model(task, ...)`. Keyword parameters with
# defaults are its parameters: here the activation, so that the new one and its rivals are
# trained by the same code and differ in nothing else.

# %%
MODEL_FILE = '''"""A shallow network whose first activation is the parameter under study."""

import keras
from keras import layers, ops

MODEL = {
    "name": "Shallow",
    "authors": "Your Name",
    "license": "MIT",
}

ACTIVATIONS = {
    "relu": ops.relu,
    "exponential": ops.exp,
    "cubic_softplus": lambda x: ops.softplus(x) ** 3,
}


def build_model(task, *, activation="cubic_softplus"):
    x = inputs = keras.Input(task.input_shape)  # (200, 4): one-hot A C G T
    x = layers.Conv1D(24, 19, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation(ACTIVATIONS[activation])(x)  # what filters say: the scan
    x = layers.Dropout(0.1)(x)
    x = layers.MaxPooling1D(50)(x)  # strong pooling keeps whole motifs in one filter
    x = layers.Conv1D(48, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(96, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))  # a logit per class
'''
Path("shallow.py").write_text(MODEL_FILE, encoding="utf-8")

# %% [markdown]
# ## 2. Is the file ready?
#
# Before any time goes into training, `bench check` builds, freezes and briefly trains the
# network, tries every attribution method on it, and estimates what a full run costs. Each
# problem names its line and its remedy.

# %%
run("bench check shallow.py --task regulatory-code")

# %% [markdown]
# ## 3. A small experiment
#
# `--profile quick` is a small fixed version of the same work: fewer sequences, ten epochs. The
# other task, motif-classes, has none: no network learns its twelve classes in minutes.
# Three trials of each activation, two at a time. What is finished is never run again, so the
# cell can be stopped and repeated.

# %%
for activation in ("relu", "exponential", "cubic_softplus"):
    run(
        f"bench run --model shallow.py --param activation={activation} "
        "--task regulatory-code --profile quick --trials 3 --jobs 2"
    )

# %% [markdown]
# ## 4. What came out
#
# Accuracy first, then what this benchmark is for: are filters motifs (F1 of the filters), and do
# maps point at the implanted bases (mean of six views)? The last command compares every pair over
# their trials, with p-values adjusted for the number of pairs. With three trials only a gross
# difference can be told from luck, and the intervals say so.

# %%
COLUMNS = "--columns model,params,metric,mean,sd,coverage"
run(f"bench results --metric auroc --sort -mean {COLUMNS}")
run(f"bench results --metric filter_f1 --sort -mean {COLUMNS}")
run(f"bench results --metric maps --sort -mean {COLUMNS}")
run("bench results compare --model Shallow --metric maps --format csv")

# %% [markdown]
# The same as pages, for reading: on each model's page stand every filter as a logo beside the
# motif that it matches best, and attribution maps beside the truth. Open `page/index.html`.

# %%
run("bench leaderboard build --out page")

# %% [markdown]
# ## 5. The real thing
#
# `quick` tells whether something works; it is never ranked beside full runs. A submission is
# both tasks with ten trials each at the default profile: hours, and `bench check` estimates how
# many. `--dry-run` lists the jobs; take it away to run them, on all cores (`--jobs`), a cluster
# (docs/clusters.md) or a GPU (docs/containers.md).

# %%
run("bench run --model shallow.py --dry-run")

# %% [markdown]
# ## 6. The submission
#
# One folder with the model file and every row, failed trials included, each with its digest;
# the line that it prints, the seal, goes into the pull request. Then look at it as a reviewer
# does. (With `quick` rows alone it says that they will never be ranked: this one is practice.)

# %%
shutil.rmtree("submissions/shallow", ignore_errors=True)  # from this cell's last run
run("bench submit shallow.py --out submissions/shallow")
run("bench verify submissions/shallow --digests-only --out verification")
