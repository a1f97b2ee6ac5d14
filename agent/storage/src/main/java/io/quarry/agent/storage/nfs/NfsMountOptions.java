package io.quarry.agent.storage.nfs;

import io.quarry.agent.storage.directory.SafeMount;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The options of an NFS mount that the agent asks for. */
final class NfsMountOptions {
  private NfsMountOptions() {}

  /** The versions of the protocol to try, in that order. */
  static List<String> versions(NfsExport export) {
    String chosen = export.options().get(NfsExport.VERSION);
    return chosen == null ? SafeMount.VERSIONS : List.of(chosen);
  }

  /** The options of the mount call, without the server's address. */
  static String of(NfsExport export, String version) {
    Stream<String> chosen =
        export.options().entrySet().stream()
            .filter(option -> !option.getKey().equals(NfsExport.VERSION))
            .map(option -> option.getKey() + "=" + option.getValue())
            .sorted();
    return Stream.concat(Stream.of("vers=" + version, SafeMount.OPTIONS), chosen)
        .collect(Collectors.joining(","));
  }
}
