package io.quarry.coordinator.cluster;

/** The names of one repository's threads, short enough to read in a thread dump. */
final class Threads {
  private static final int KEY_CHARACTERS = 8;

  private Threads() {}

  static String name(String purpose, String repositoryKey) {
    int end = Math.min(KEY_CHARACTERS, repositoryKey.length());
    return purpose + "-" + repositoryKey.substring(0, end);
  }
}
