"""Lists of videos: csv files, plain rows, and those of Kinetics, UCF101 and HMDB51."""
