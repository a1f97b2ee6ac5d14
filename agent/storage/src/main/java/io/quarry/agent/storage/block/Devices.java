package io.quarry.agent.storage.block;

import io.quarry.coordinator.plan.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The devices that this host's kernel has for files of one repository. */
public interface Devices {
  /** The path by which programs open a file's device. */
  Path path(String file);

  /** The files that have a device. */
  Set<String> files() throws IOException;

  /** The extents below a file's device; null when there is none, empty when it was cut off. */
  @Nullable List<Run> runs(String file) throws IOException;

  /** Makes the device, or gives it more extents. Programs that have the device open go on. */
  void make(String file, List<Run> runs, boolean readOnly) throws IOException;

  /** Whether a program or another device has the file's device open. */
  boolean isOpen(String file) throws IOException;

  /** False when the device has that mode, or when there is no device. */
  boolean setReadOnly(String file, boolean readOnly) throws IOException;

  /**
   * Removes the device; does nothing when there is none.
   *
   * @return false when a program or another device has it open
   */
  boolean remove(String file) throws IOException;

  /**
   * Parts a device that a program has open from its extents: each read and each write fails from
   * now on. Requests under way have ended.
   */
  void cutOff(String file) throws IOException;
}
