package io.quarry.agent.storage.block;

import java.io.IOException;
import java.util.OptionalInt;

/** Which host this is, and the slot that the host has won: kept over the end of a process. */
public interface HostSlot {
  /** Sixteen bytes that no other host has, as hexadecimal digits. */
  String key();

  /** Empty when the host has none yet. */
  OptionalInt slot() throws IOException;

  /** Keeps the slot durably. */
  void keep(int slot) throws IOException;
}
