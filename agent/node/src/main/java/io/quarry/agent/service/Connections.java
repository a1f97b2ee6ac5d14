package io.quarry.agent.service;

import com.fasterxml.jackson.core.type.TypeReference;
import io.quarry.agent.repository.StateFile;
import io.quarry.common.api.ConnectRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The repositories that this host has connected, kept in its state directory. The agent connects
 * these repositories again when it starts. A repoId never comes to name another repository without
 * notice.
 */
public final class Connections {
  private static final String REMEDY =
      "restore the file, or delete it and connect the repositories again with `quarry repo"
          + " connect`";

  private final StateFile file;
  private List<Connection> all;

  /**
   * A repository under its name on this host.
   *
   * @param key of the repository
   * @param kind how long the connection lasts
   */
  public record Connection(
      String repoId,
      String repoFormat,
      Map<String, String> connectionParameters,
      String key,
      Kind kind) {
    public Connection {
      Objects.requireNonNull(repoId, "repoId");
      Objects.requireNonNull(repoFormat, "repoFormat");
      Objects.requireNonNull(key, "key");
      Objects.requireNonNull(kind, "kind");
      connectionParameters = Map.copyOf(connectionParameters);
    }

    ConnectRequest request() {
      return new ConnectRequest(repoId, repoFormat, connectionParameters);
    }
  }

  /** How long a connection lasts. */
  public enum Kind {
    /** The agent's configuration names the repository. */
    CONFIGURED,
    /** A call has connected the repository; the agent connects it again when it starts. */
    PERSISTENT,
    /** The connection ends with the agent's process. */
    TRANSIENT;

    /** The text for operators. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Connections(Path file) throws IOException {
    this.file = new StateFile(file);
    List<Connection> known = this.file.read(new TypeReference<>() {}, REMEDY);
    if (known != null && known.stream().anyMatch(Objects::isNull)) {
      throw this.file.damaged(REMEDY, null);
    }
    this.all = known == null ? List.of() : List.copyOf(known);
  }

  /** The repositories that calls have connected, and that the agent connects again. */
  public synchronized List<ConnectRequest> persistent() {
    return all.stream()
        .filter(each -> each.kind() == Kind.PERSISTENT)
        .map(Connection::request)
        .toList();
  }

  /** The connection of that name. */
  synchronized Optional<Connection> find(String repoId) {
    return all.stream().filter(each -> each.repoId().equals(repoId)).findAny();
  }

  synchronized void put(Connection connection) {
    if (!find(connection.repoId()).equals(Optional.of(connection))) {
      List<Connection> changed = without(connection.repoId());
      changed.add(connection);
      write(changed);
    }
  }

  /** False when no connection has the name. */
  synchronized boolean remove(String repoId) {
    List<Connection> changed = without(repoId);
    boolean known = changed.size() < all.size();
    if (known) {
      write(changed);
    }
    return known;
  }

  private List<Connection> without(String repoId) {
    List<Connection> others = new ArrayList<>(all);
    others.removeIf(each -> each.repoId().equals(repoId));
    return others;
  }

  private void write(List<Connection> changed) {
    file.write(changed);
    all = List.copyOf(changed);
  }
}
