package io.quarry.coordinator.log;

import java.io.IOException;

/** Hosts of one storage with a new log. */
final class LogHosts {
  private final HostileStorage storage;
  private int hosts;

  LogHosts(HostileStorage storage) {
    this.storage = storage;
  }

  HostileStorage.Host host() throws IOException {
    HostileStorage.Host host = storage.host("host" + hosts++, step -> {});
    host.beginLife();
    return host;
  }

  SlotStore store() throws IOException {
    return host().store();
  }

  /** The log as a new host reads it. */
  LogState fresh() throws IOException {
    return new LogReader(store(), () -> {}).load();
  }

  boolean committed(String requestId) throws IOException {
    return fresh().repository().requests().find(requestId) != null;
  }
}
