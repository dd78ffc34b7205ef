// Placeholder until the first test of this group lands.
