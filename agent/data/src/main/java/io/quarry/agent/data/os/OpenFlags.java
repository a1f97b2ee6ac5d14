package io.quarry.agent.data.os;

/** Flags of the open call; some of them have other values on ARM. */
final class OpenFlags {
  private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");

  static final int READ = 0;
  static final int READ_WRITE = 2;
  static final int CREATE_NEW = 0x40 | 0x80;
  static final int NO_TERMINAL = 0x100;
  static final int CLOSE_ON_EXEC = 0x80000;
  static final int DIRECT = ARM ? 0x10000 : 0x4000;
  static final int DIRECTORY = ARM ? 0x4000 : 0x10000;
  static final int NO_FOLLOW = ARM ? 0x8000 : 0x20000;
  static final int NON_BLOCKING = 0x800;

  private OpenFlags() {}
}
