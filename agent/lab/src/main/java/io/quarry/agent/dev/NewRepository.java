package io.quarry.agent.dev;

import io.quarry.agent.storage.directory.LocalfsFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Makes directories into repositories, for agents whose configuration names them. */
public final class NewRepository {
  private static final String FORMAT = "localfs-1.0";

  private NewRepository() {}

  /** Creates the repository, and returns the configuration entry that connects it. */
  public static Map<String, Object> at(String repoId, Path directory) throws IOException {
    Files.createDirectories(directory);
    Map<String, String> parameters = Map.of("path", directory.toString());
    new LocalfsFormat().connect(parameters, true, "creator").close();
    return entry(repoId, directory);
  }

  /** The configuration entry that connects the repository, by the host's own path to it. */
  public static Map<String, Object> entry(String repoId, Path directory) {
    return entry(repoId, directory, Map.of());
  }

  /**
   * @param parameters of the connection, beside the path
   */
  public static Map<String, Object> entry(
      String repoId, Path directory, Map<String, String> parameters) {
    Map<String, String> all = new HashMap<>(parameters);
    all.put("path", directory.toString());
    return Map.of("repoId", repoId, "repoFormat", FORMAT, "connectionParameters", all);
  }
}
