"""Networks and where their weights come from: files in, arrays out; nothing here knows of videos or tracks."""
