package io.quarry.agent;

/** The release of this program. */
public final class Version {
  /** From the jar's manifest; {@code dev} when run from classes. */
  public static final String TEXT = read();

  private Version() {}

  private static String read() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "dev" : version;
  }
}
