package io.quarry.coordinator.cluster;

/** A listener's place in a list; closing it takes the listener out. */
public interface Subscription extends AutoCloseable {
  @Override
  void close();
}
