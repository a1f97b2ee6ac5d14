package io.quarry.coordinator.sdm;

import io.quarry.coordinator.log.LogState;
import java.io.IOException;

/** An SDM's notices to its host. Called on the SDM's thread: enqueue only. */
public interface SdmListener {
  /**
   * Before a term begins, on its thread, which may wait for the storage.
   *
   * @throws IOException when this host must not lead
   */
  default void beginning() throws IOException {}

  /** A term has begun: the term record is committed. */
  void leading(LogState state);

  /** A record is committed. */
  void committed(LogState before, LogState after);

  /** The term is over; the host may stand for election again. */
  void steppedDown(String reason);
}
