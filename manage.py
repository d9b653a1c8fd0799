#!/usr/bin/env python
"""Django's entry. `manage.py up` is the cluster; `manage.py kubeconfig` hands out the key to its door."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kubeweb.settings")
    # The data directory decides where the databases are, so it must be known before the settings load.
    for position, argument in enumerate(sys.argv):
        if argument == "--data-dir" and position + 1 < len(sys.argv):
            os.environ["KUBEWEB_DATA_DIR"] = sys.argv[position + 1]
        elif argument.startswith("--data-dir="):
            os.environ["KUBEWEB_DATA_DIR"] = argument.split("=", 1)[1]
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
