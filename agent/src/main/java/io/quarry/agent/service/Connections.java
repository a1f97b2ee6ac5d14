package io.quarry.agent.service;

import com.fasterxml.jackson.core.type.TypeReference;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What this host has connected, kept in its state directory: the agent connects it again when it
 * starts, and a repoId never silently comes to name another repository.
 */
public final class Connections {
  private final Path file;
  private List<Connection> all;

  /**
   * A repository under its name on this host.
   *
   * @param key of the repository
   * @param kind who connects it again
   */
  public record Connection(
      String repoId,
      String repoFormat,
      Map<String, String> connectionParameters,
      String key,
      Kind kind) {
    public Connection {
      connectionParameters = Map.copyOf(connectionParameters);
    }

    ConnectRequest request() {
      return new ConnectRequest(repoId, repoFormat, connectionParameters, false);
    }
  }

  /** Who connects a repository when the agent starts. */
  public enum Kind {
    /** The agent's configuration names it. */
    CONFIGURED,
    /** A call has connected it. */
    PERSISTENT,
    /** It lasts as long as the agent's process. */
    TRANSIENT;

    /** As people read it. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Connections(Path file) throws IOException {
    this.file = file;
    this.all = read(file);
  }

  private static List<Connection> read(Path file) throws IOException {
    try {
      return Json.MAPPER.readValue(Files.readAllBytes(file), new TypeReference<>() {});
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  /** What calls have connected, and the agent is to connect again. */
  public synchronized List<ConnectRequest> persistent() {
    return all.stream()
        .filter(each -> each.kind() == Kind.PERSISTENT)
        .map(Connection::request)
        .toList();
  }

  /** What is known under that name. */
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

  /** False when the name was not known. */
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
    Path directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
    Path written = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.write(written, Json.MAPPER.writeValueAsBytes(changed));
      try (FileChannel channel = FileChannel.open(written, StandardOpenOption.READ)) {
        channel.force(true);
      }
      Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
      // The caller is told that the connection lasts: a power cut must not take the name back.
      try (FileChannel parent = FileChannel.open(directory)) {
        parent.force(true);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the state directory cannot be written", e);
    }
    all = List.copyOf(changed);
  }
}
