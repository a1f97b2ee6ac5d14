package io.quarry.agent.storage.clvm;

import java.util.ArrayList;
import java.util.List;

/**
 * The commands of LVM that agents run. LVM has no lock between hosts here, so a command that writes
 * the metadata of a volume group would destroy what another host writes.
 */
enum LvmCommand {
  /** Makes the device of a logical volume on this host. */
  ACTIVATE,
  /** Gives the device of a logical volume the size that the volume has now. */
  REFRESH;

  static final String PROGRAM = "lvchange";

  List<String> of(String vg, String lv) {
    List<String> words = new ArrayList<>(List.of(PROGRAM));
    words.addAll(options());
    words.add(vg + "/" + lv);
    return words;
  }

  private List<String> options() {
    return switch (this) {
      case ACTIVATE -> List.of("--activate", "y");
      case REFRESH -> List.of("--refresh");
    };
  }
}
