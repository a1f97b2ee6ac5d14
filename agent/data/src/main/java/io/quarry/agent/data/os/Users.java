package io.quarry.agent.data.os;

import java.util.OptionalInt;

/** Users and groups of this host, by number. */
public final class Users {
  private static final int ROOT = 0;

  private Users() {}

  /** The user whose rights this process has. */
  public static int effective() {
    return Libc.geteuid();
  }

  /** Whether this process ignores the modes of files. */
  public static boolean mayDoAll() {
    return effective() == ROOT;
  }

  /** The number of a group, given by name or number; empty for an unknown name. */
  public static OptionalInt group(String nameOrNumber) {
    return nameOrNumber.matches("[0-9]{1,9}")
        ? OptionalInt.of(Integer.parseInt(nameOrNumber))
        : Libc.groupOf(nameOrNumber);
  }
}
