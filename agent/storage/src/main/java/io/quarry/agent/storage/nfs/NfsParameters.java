package io.quarry.agent.storage.nfs;

import io.quarry.agent.storage.directory.VolumeOptions;
import io.quarry.common.api.StorageException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * The parameters of a connection.
 *
 * @param place where the repository is
 * @param volumes the user and the group of the files
 */
record NfsParameters(Place place, VolumeOptions volumes) {
  private static final String SERVER = "server";
  private static final String EXPORT = "export";
  private static final String OPTIONS = "options";
  private static final String PATH = "path";
  private static final String OWNER = "owner";
  private static final String GROUP = "group";
  private static final Set<String> ALL = Set.of(SERVER, EXPORT, OPTIONS, PATH, OWNER, GROUP);
  private static final int ID_MAX = Integer.MAX_VALUE - 1;
  private static final String EITHER =
      "give server and export, and the agent mounts them; or give path, a directory that is"
          + " mounted already";

  /** Where the repository is. */
  sealed interface Place {
    /** The root of an export, which the agent mounts. */
    record Exported(NfsExport export) implements Place {}

    /** A directory below a mount that the agent has not made. */
    record Mounted(Path path) implements Place {}
  }

  static NfsParameters of(Map<String, String> parameters) {
    for (String name : parameters.keySet()) {
      if (!ALL.contains(name)) {
        throw invalid(
            name,
            NfsFormat.NAME + " has no parameter " + name,
            "remove " + name + "; " + EITHER + ". Options, owner and group are optional");
      }
    }
    return new NfsParameters(
        place(parameters),
        VolumeOptions.ofRepository(number(parameters, OWNER), number(parameters, GROUP)));
  }

  private static Place place(Map<String, String> parameters) {
    String path = parameters.get(PATH);
    String server = parameters.get(SERVER);
    String export = parameters.get(EXPORT);
    if (path == null) {
      if (server == null || export == null) {
        String missing = server == null ? SERVER : EXPORT;
        throw invalid(missing, missing + " is missing", EITHER);
      }
      return new Place.Exported(NfsExport.of(server, export, parameters.getOrDefault(OPTIONS, "")));
    }
    for (String other : new String[] {SERVER, EXPORT, OPTIONS}) {
      if (parameters.containsKey(other)) {
        throw invalid(other, other + " and path are both given", EITHER);
      }
    }
    if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw invalid(
          PATH,
          "path is not absolute: " + path,
          "give the absolute path of the repository's directory");
    }
    return new Place.Mounted(Path.of(path).normalize());
  }

  private static int number(Map<String, String> parameters, String name) {
    String value = parameters.get(name);
    if (value == null) {
      return VolumeOptions.ANY;
    }
    if (!value.matches("[0-9]{1,10}") || Long.parseLong(value) > ID_MAX) {
      throw invalid(
          name,
          name + " is no number up to " + ID_MAX + ": " + value,
          "give a number: a name may stand for another number on another host");
    }
    return Integer.parseInt(value);
  }

  private static StorageException invalid(String parameter, String message, String remedy) {
    return StorageException.invalid("connectionParameters." + parameter, message, remedy);
  }
}
