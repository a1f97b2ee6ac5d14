package io.quarry.agent.storage;

import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Request;
import java.io.IOException;

/** The commit log, for a storage that keeps its volumes' places in the log. Calls block. */
public interface VolumeLog {
  /** The state on this host, which may lag. */
  LogState state();

  /** Reads the log to its end: the returned state is as new as this call. */
  LogState refresh() throws IOException;

  /** Commits a request, wherever the SDM is; the returned state includes the commit. */
  LogState commit(Request request);
}
