package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The environment of a command, which tests replace by their own.
 *
 * @param connect gives the API of any of these agents
 * @param terminal whether standard error is a terminal
 */
record Shell(
    Function<List<URI>, StorageApi> connect,
    Map<String, String> environment,
    InputStream in,
    boolean terminal,
    Time time) {

  Shell {
    environment = Map.copyOf(environment);
  }

  /** The clock of waiting commands. */
  interface Time {
    long nanos();

    void pause(Duration duration);
  }
}
