package io.quarry.coordinator.cluster;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls listeners one after the other. An exception of one is logged and does not affect the
 * others.
 */
final class Listeners<L> {
  private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

  private final List<L> listeners = new CopyOnWriteArrayList<>();

  Subscription add(L listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  void each(Consumer<L> call) {
    for (L listener : listeners) {
      try {
        call.accept(listener);
      } catch (RuntimeException | Error failure) {
        LOG.error("A listener failed: {}", listener.getClass().getName(), failure);
      }
    }
  }
}
