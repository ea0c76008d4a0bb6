"""Takes an analysis, a timeline and clips and gives the files of an output folder; later runs read them back here."""
