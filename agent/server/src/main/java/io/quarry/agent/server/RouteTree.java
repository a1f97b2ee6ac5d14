package io.quarry.agent.server;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Finds the operation for a method and a path, segment by segment. */
final class RouteTree {
  /** The result of a look-up. */
  sealed interface Match {
    /**
     * @param values of the path's variables as they were sent, from left to right
     */
    record Found(Operation operation, List<String> values) implements Match {}

    record WrongMethod(List<String> allowed) implements Match {}

    record NoSuchPath() implements Match {}
  }

  private static final class Node {
    private final Map<String, Node> fixed = new HashMap<>();
    private @Nullable Node variable;
    private final Map<String, Operation> operations = new TreeMap<>();
  }

  private final Node root = new Node();

  RouteTree(List<Operation> operations) {
    for (Operation operation : operations) {
      Node node = root;
      for (String segment : operation.path().substring(1).split("/", -1)) {
        if (segment.startsWith("{")) {
          if (node.variable == null) {
            node.variable = new Node();
          }
          node = node.variable;
        } else {
          node = node.fixed.computeIfAbsent(segment, _ -> new Node());
        }
      }
      node.operations.put(operation.method(), operation);
    }
  }

  Match find(String method, String path) {
    Node node = root;
    List<String> values = new ArrayList<>(2);
    int from = 1;
    while (node != null && from <= path.length()) {
      int to = path.indexOf('/', from);
      if (to < 0) {
        to = path.length();
      }
      String segment = path.substring(from, to);
      Node next = node.fixed.get(segment);
      if (next == null && !segment.isEmpty()) {
        next = node.variable;
        values.add(segment);
      }
      node = next;
      from = to + 1;
    }
    if (node == null || node.operations.isEmpty()) {
      return new Match.NoSuchPath();
    }
    Operation operation = node.operations.get(method);
    return operation == null
        ? new Match.WrongMethod(List.copyOf(node.operations.keySet()))
        : new Match.Found(operation, values);
  }
}
