package io.quarry.coordinator.sdm;

import io.quarry.coordinator.log.LogState;

/** What an SDM tells its host. Called on the SDM's thread: enqueue only. */
public interface SdmListener {
  /** A term has begun: the term record is committed. */
  void leading(LogState state);

  /** A record is committed. */
  void committed(LogState before, LogState after);

  /** The term is over; the host may stand for election again. */
  void steppedDown(String reason);
}
