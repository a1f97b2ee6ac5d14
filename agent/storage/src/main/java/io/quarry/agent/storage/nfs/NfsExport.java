package io.quarry.agent.storage.nfs;

import io.quarry.common.api.StorageException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the agent mounts.
 *
 * @param server a host name or an address; an IPv6 address without brackets
 * @param export an absolute path on the server
 * @param options that the operator has chosen, by name
 */
record NfsExport(String server, String export, Map<String, String> options) {
  static final String VERSION = "vers";
  static final String PROTOCOL = "proto";
  static final String PORT = "port";

  private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,252}");
  private static final Pattern IPV6 =
      Pattern.compile("[0-9A-Fa-f:]+:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?");

  /** The kernel's limit for the path of an export. */
  private static final int EXPORT_BYTES_MAX = 1024;

  private static final int MOUNT_POINT_DIGITS = 16;

  /** The options that may be given, and their values. */
  private static final Map<String, Pattern> OPTIONS =
      Map.of(
          PORT,
          Pattern.compile("[1-9][0-9]{0,4}"),
          PROTOCOL,
          Pattern.compile("tcp|rdma"),
          "nconnect",
          Pattern.compile("[1-9]|1[0-6]"),
          "rsize",
          Pattern.compile("[1-9][0-9]{3,7}"),
          "wsize",
          Pattern.compile("[1-9][0-9]{3,7}"),
          "sec",
          Pattern.compile("sys|krb5|krb5i|krb5p"),
          "timeo",
          Pattern.compile("[1-9][0-9]{0,4}"),
          "retrans",
          Pattern.compile("[1-9][0-9]{0,2}"),
          VERSION,
          Pattern.compile("4[.][12]"));

  NfsExport {
    options = Map.copyOf(options);
  }

  static NfsExport of(String server, String export, String options) {
    String host =
        server.startsWith("[") && server.endsWith("]")
            ? server.substring(1, server.length() - 1)
            : server;
    if (!HOST_NAME.matcher(host).matches() && !IPV6.matcher(host).matches()) {
      throw StorageException.invalid(
          "connectionParameters.server",
          "server is no host name and no address: " + server,
          "give the file server's host name, IPv4 address or IPv6 address");
    }
    boolean whole =
        export.startsWith("/")
            && export.chars().noneMatch(Character::isISOControl)
            && export.getBytes(StandardCharsets.UTF_8).length <= EXPORT_BYTES_MAX;
    if (!whole) {
      throw StorageException.invalid(
          "connectionParameters.export",
          "export is no absolute path of at most " + EXPORT_BYTES_MAX + " bytes: " + export,
          "give the path as the server exports it, for example /srv/quarry");
    }
    return new NfsExport(host, normal(export), options(options));
  }

  /** As the kernel lists the path: without slashes that are doubled or at the end. */
  private static String normal(String export) {
    List<String> names =
        Arrays.stream(export.split("/", -1)).filter(name -> !name.isEmpty()).toList();
    if (names.contains(".") || names.contains("..")) {
      throw StorageException.invalid(
          "connectionParameters.export",
          "export has a component . or ..: " + export,
          "give the path without . and .., for example /srv/quarry");
    }
    return "/" + String.join("/", names);
  }

  private static Map<String, String> options(String text) {
    Map<String, String> options = new LinkedHashMap<>();
    if (text.isEmpty()) {
      return options;
    }
    for (String option : text.split(",", -1)) {
      int equals = option.indexOf('=');
      String name = equals < 0 ? option : option.substring(0, equals);
      String value = equals < 0 ? "" : option.substring(equals + 1);
      Pattern values = OPTIONS.get(name);
      if (values == null) {
        throw invalidOption(
            "the option \"" + option + "\" cannot be chosen",
            "remove the option; give any of "
                + OPTIONS.keySet().stream().sorted().collect(Collectors.joining(", ")));
      }
      if (!values.matcher(value).matches()) {
        throw invalidOption(
            "the option " + name + " has no value \"" + value + "\"",
            "give " + name + " a value that matches " + values);
      }
      if (options.put(name, value) != null) {
        throw invalidOption("the option " + name + " is given twice", "give " + name + " once");
      }
    }
    return options;
  }

  private static StorageException invalidOption(String message, String remedy) {
    return StorageException.invalid("connectionParameters.options", message, remedy);
  }

  /** The server and the path in the kernel's spelling. */
  String source() {
    return (server.indexOf(':') >= 0 ? "[" + server + "]" : server) + ":" + export;
  }

  /** The name of the mount point; other options get another mount. */
  String mountPoint() {
    String all =
        source()
            + ":"
            + options.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(option -> option.getKey() + "=" + option.getValue())
                .collect(Collectors.joining(","));
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(all.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash).substring(0, MOUNT_POINT_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("each Java has SHA-256", e);
    }
  }
}
