package io.quarry.agent.storage.clvm;

/** What LVM calls a logical volume in the device mapper. */
final class MapperName {
  private static final int CHARS_MAX = 127;

  private MapperName() {}

  /** Hyphens of the names are doubled, so that the one between them stands alone. */
  static String of(String vg, String lv) {
    return vg.replace("-", "--") + "-" + lv.replace("-", "--");
  }

  static boolean fits(String vg, String lv) {
    return of(vg, lv).length() <= CHARS_MAX;
  }
}
