package io.quarry.agent.data.os;

import java.util.OptionalInt;

/** Users and groups of this host, by number. */
public final class Users {
  private static final int ROOT = 0;

  private Users() {}

  /** Whose rights this process has. */
  public static int effective() {
    return Libc.geteuid();
  }

  /** Whether no mode of a file stops this process. */
  public static boolean mayDoAll() {
    return effective() == ROOT;
  }

  /**
   * The number of a group that is named by its name or by its number; empty for an unknown name.
   */
  public static OptionalInt group(String nameOrNumber) {
    return nameOrNumber.matches("[0-9]{1,9}")
        ? OptionalInt.of(Integer.parseInt(nameOrNumber))
        : Libc.groupOf(nameOrNumber);
  }
}
