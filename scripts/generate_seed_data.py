"""The sample deliveries of a health insurer in the landing folder; the same as `loader sample-data aca`.

python scripts/generate_seed_data.py --scale 10 --periods 12
"""

import sys

from loader.cli.app import main

if __name__ == "__main__":
    main(["sample-data", "aca", *sys.argv[1:]], prog_name="loader")
