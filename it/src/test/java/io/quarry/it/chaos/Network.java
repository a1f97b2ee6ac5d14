package io.quarry.it.chaos;

import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Network namespaces on a bridge of this machine that has no way out. Rules cut the namespaces off
 * from each other.
 */
final class Network implements AutoCloseable {
  /** The prefix of addresses that this machine is not likely to use otherwise. */
  private static final String PREFIX = "10.213.77.";

  private static final int GATEWAY = 254;
  private static final String TABLE = "quarry_chaos";

  private final String id = Long.toString(ProcessHandle.current().pid(), 36);
  private final Map<String, String> addresses = new LinkedHashMap<>();

  /** Makes a namespace for each name. */
  static Network of(List<String> names) throws IOException, InterruptedException {
    Network network = new Network();
    try {
      network.make(names);
      return network;
    } catch (IOException | InterruptedException | RuntimeException | AssertionError failure) {
      network.close();
      throw failure;
    }
  }

  private void make(List<String> names) throws IOException, InterruptedException {
    run("ip", "link", "add", bridge(), "type", "bridge");
    run("ip", "address", "add", PREFIX + GATEWAY + "/24", "dev", bridge());
    run("ip", "link", "set", bridge(), "up");
    for (String name : names) {
      int number = addresses.size() + 1;
      addresses.put(name, PREFIX + number);
      String outer = "qv" + id + "-" + number;
      run("ip", "netns", "add", namespace(name));
      run(
          "ip",
          "link",
          "add",
          outer,
          "type",
          "veth",
          "peer",
          "name",
          "eth0",
          "netns",
          namespace(name));
      run("ip", "link", "set", outer, "master", bridge(), "up");
      in(name, "ip", "address", "add", PREFIX + number + "/24", "dev", "eth0");
      in(name, "ip", "link", "set", "eth0", "up");
      in(name, "ip", "link", "set", "lo", "up");
      heal(name);
    }
  }

  String address(String name) {
    String address = addresses.get(name);
    if (address == null) {
      throw new IllegalArgumentException("no " + name);
    }
    return address;
  }

  /** The words before a command that is to run in the namespace. */
  List<String> launcher(String name) {
    return List.of("nsenter", "--net=/run/netns/" + namespace(name), "--");
  }

  /** Cuts the namespace off from the others, in both directions. */
  void cut(String name, List<String> others) throws IOException, InterruptedException {
    in(name, "nft", "add", "rule", "inet", TABLE, "in", "ip", "saddr", set(others), "drop");
    cutOut(name, others);
  }

  /** Drops all that the namespace sends to the others. */
  void cutOut(String name, List<String> others) throws IOException, InterruptedException {
    in(name, "nft", "add", "rule", "inet", TABLE, "out", "ip", "daddr", set(others), "drop");
  }

  /** Cuts the namespace off from all others, in both directions. */
  void isolate(String name) throws IOException, InterruptedException {
    for (String chain : List.of("in", "out")) {
      in(name, "nft", "add", "rule", "inet", TABLE, chain, "meta", "oif", "!=", "lo", "drop");
      in(name, "nft", "add", "rule", "inet", TABLE, chain, "meta", "iif", "!=", "lo", "drop");
    }
  }

  void heal(String name) throws IOException, InterruptedException {
    in(name, "nft", "flush", "ruleset");
    in(name, "nft", "add", "table", "inet", TABLE);
    for (Map.Entry<String, String> chain : Map.of("in", "input", "out", "output").entrySet()) {
      in(
          name,
          "nft",
          "add",
          "chain",
          "inet",
          TABLE,
          chain.getKey(),
          "{ type filter hook " + chain.getValue() + " priority 0; }");
    }
  }

  private String set(List<String> names) {
    return "{ " + String.join(", ", names.stream().map(this::address).toList()) + " }";
  }

  private String bridge() {
    return "qb" + id;
  }

  private String namespace(String name) {
    return "quarry-" + id + "-" + name;
  }

  private void in(String name, String... words) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(launcher(name));
    all.addAll(List.of(words));
    QemuGuest.run(all);
  }

  private static void run(String... words) throws IOException, InterruptedException {
    QemuGuest.run(List.of(words));
  }

  /** Call this after all processes in the namespaces have ended. */
  @Override
  public void close() throws IOException {
    List<String> left = new ArrayList<>();
    for (String name : addresses.keySet()) {
      delete(left, "ip", "netns", "delete", namespace(name));
    }
    delete(left, "ip", "link", "delete", bridge());
    if (!left.isEmpty()) {
      throw new IOException("left behind: " + left);
    }
  }

  private static void delete(List<String> left, String... words) throws IOException {
    try {
      run(words);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (AssertionError e) {
      left.add(e.getMessage());
    }
  }
}
